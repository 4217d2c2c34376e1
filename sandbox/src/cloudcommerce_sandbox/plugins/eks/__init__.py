"""The `eks` plugin: what makes an EKS cluster in `pulumi_eks`, as the official plugin registers it.

The children, their names and their options follow the plugin's source:
https://github.com/pulumi/pulumi-eks/tree/master/nodejs/eks
"""
