#!/bin/bash
# A training on a Slurm cluster: Ray over all nodes of the job, the tool server on the first, verl on top.
#
#     sbatch --nodes 8 examples/cluster/slurm.sh TRAINING
#
# TRAINING is a directory that `wheretaken train export --engine verl --toolset amap` wrote, on a file system that
# all nodes see. VENV is an environment with wheretaken[server,offline,verl] and vLLM or SGLang.
#SBATCH --job-name=wheretaken
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=64
#SBATCH --time=24:00:00
set -euo pipefail

training=$(realpath "$1")
. "${VENV:?name the environment, such as VENV=/shared/venv}/bin/activate"
nodes=($(scontrol show hostnames "$SLURM_JOB_NODELIST"))
head=${nodes[0]}
port=6379
tools=http://$head:8080

# Without its token nobody joins the cluster or submits to it; the tool server has one of its own. Both reach
# the nodes through the environment of this job only, and are in no file.
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN
RAY_AUTH_TOKEN=$(openssl rand -hex 32)
export WHERETAKEN_SERVER_TOKEN
WHERETAKEN_SERVER_TOKEN=$(openssl rand -hex 32)
export RAY_USAGE_STATS_ENABLED=0

on() { srun --overlap --nodes=1 --ntasks=1 --nodelist="$1" "${@:2}"; }

on "$head" wheretaken serve --toolset amap --host 0.0.0.0 --port 8080 --allow-host "$head" &
on "$head" ray start --head --node-ip-address="$head" --port=$port --num-gpus=8 --block &
for node in "${nodes[@]:1}"; do
    on "$node" ray start --address="$head:$port" --num-gpus=8 --block &
done

joined() { on "$head" ray status --address="$head:$port" 2>/dev/null | grep -c "^ *1 node_" || true; }
for _ in $(seq 60); do
    [ "$(joined)" -ge "${#nodes[@]}" ] && curl --silent --fail --output /dev/null "$tools/healthz" && break
    sleep 5
done

# Every node is looked at before any GPU is taken; what is missing is said with the node that misses it.
on "$head" wheretaken train verl "$training" --nodes "${#nodes[@]}" --gpus-per-node 8 \
    --address "$head:$port" --server "$tools"
on "$head" wheretaken train merge "$training" -o "$training/weights"
