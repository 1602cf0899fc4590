"""From checkpoints to what the rules say of them: reads tensors, asks the rules, and writes the sentences."""
