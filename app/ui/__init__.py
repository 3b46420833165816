"""The studio page: Gradio panels around one stage, and the routes that the stage's own script talks to."""
