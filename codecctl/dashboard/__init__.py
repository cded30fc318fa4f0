"""The Textual application; it reads run directories and nothing else."""
