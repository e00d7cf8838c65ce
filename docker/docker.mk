# Images and manifests. Included by the Makefile.

.PHONY: image
image: ## with an engine; tests/docker/test_image.py builds it without one
	docker build -f docker/Dockerfile -t casemate:$(VERSION) .
