"""The campaign on Kubernetes: planning inside the cluster, and commands from outside it."""
