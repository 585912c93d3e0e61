"""Where tables come from: text files, Parquet, the positions in photos, the Hugging Face hub."""
