"""Run the `eks` plugin: `python -m cloudcommerce_sandbox.plugins.eks`."""

from cloudcommerce_sandbox.plugins.eks.server import main

if __name__ == "__main__":
    main()
