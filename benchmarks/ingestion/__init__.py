"""What an ingestion costs beside the embedding model."""
