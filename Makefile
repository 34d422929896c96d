# Shortcuts for contributors. The gate (.ci/run) is what a change must pass.

MODULES := . modelrefotel modelrefprom modelrefredis cmd/modelref mirror/browsertest bench
BIN     := $(CURDIR)/.bin

.PHONY: test lint gate bench

# The tests of all modules.
test:
	@set -e; for module in $(MODULES); do echo "== $$module"; go -C $$module test ./...; done

# Formatting, vet and the linter, at the version that .ci/tools pins.
lint:
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); \
	if [ -n "$$unformatted" ]; then printf 'gofmt would change:\n%s\n' "$$unformatted"; exit 1; fi
	GOBIN=$(BIN) go -C .ci/tools install tool
	@set -e; for module in $(MODULES); do echo "== $$module"; \
	(cd $$module && go vet ./... && $(BIN)/golangci-lint run --config $(CURDIR)/.golangci.yml ./...); done

# Everything that a change must pass.
gate:
	bash .ci/run

# The benchmarks of the SDK. For the ratios to other libraries: go -C bench run ./ratios
bench:
	go test -run '^$$' -bench . -benchmem ./...
