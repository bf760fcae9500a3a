"""What the user declared (envs, actors, ground, properties), and how the engine gets its models from it."""
