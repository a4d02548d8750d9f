"""A Kubernetes cluster as a testbed: kube-proxy switched, measured, and put back."""
