"""A Ray cluster of two nodes on this machine: prints its address, and stays until its standard input ends."""

import sys

from ray.cluster_utils import Cluster

if __name__ == "__main__":
    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 8, "num_gpus": 1, "include_dashboard": False},
    )
    cluster.add_node(num_cpus=8, num_gpus=1)
    sys.stdout.write(f"{cluster.address}\n")
    sys.stdout.flush()
    sys.stdin.read()
    cluster.shutdown()
