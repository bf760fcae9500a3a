"""What the user declared (envs, actors, ground, properties), and how it becomes models the engine can compile."""
