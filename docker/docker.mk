# Images and manifests. Included by the Makefile.
