"""Camera workers: decode, detectors, tracking and clips, in processes of their own; frames never reach the core."""
