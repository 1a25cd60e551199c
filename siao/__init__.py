"""The project: it assembles the applications and holds no rule."""
