"""What passed a camera: each thing that moved leaves one small record by which it can be found again."""
