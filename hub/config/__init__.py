"""The site's files: strict YAML with positions, the types of hub.yaml, manifests, secrets."""
