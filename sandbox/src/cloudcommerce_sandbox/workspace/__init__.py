"""Everything the sandbox keeps: one folder, `.sandbox/`, in the checkout."""
