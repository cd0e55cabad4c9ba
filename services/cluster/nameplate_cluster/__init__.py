"""The campaign on Kubernetes: planning inside the cluster, and a person's verbs from outside it."""
