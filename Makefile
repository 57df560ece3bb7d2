# Warifu: `make help` lists what there is. `make test` is the second of the two
# commands of the README: it installs what the tests need, then runs them all.
GO ?= go
export GOFLAGS ?=
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

.PHONY: face help test lint bench soak fuzz release prepare cover screens

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sort | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

prepare: ## install what the tests need (Debian packages as root or through sudo)
	@./build/prepare.sh

test: prepare ## every test a machine needs to believe the build (under 12 minutes on two cores)
	@echo "==> go vet"
	@$(GO) vet ./...
	@echo "==> go test (all packages; external clients, PostgreSQL and crash loops included)"
	@$(GO) test -json -timeout 15m ./... 2>&1 | $(GO) run ./internal/testsummary -of $$($(GO) list ./... | wc -l)

lint: ## gofmt, vet (as Linux, Windows and macOS see it), staticcheck
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo "gofmt: the files above are not formatted"; exit 1; }
	@for os in linux windows darwin; do echo "==> go vet for $$os"; GOOS=$$os $(GO) vet ./... || exit 1; done
	@echo "==> go vet with the points at which crash tests cut"
	@$(GO) vet -tags crashpoints ./store
	@echo "==> staticcheck"
	@$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...

cover: ## statements covered by the tests, a line a package
	@$(GO) test -timeout 15m -cover ./... | awk '/coverage:/ { print }' | sed -E 's/\t[0-9.]+s|\(cached\)//; s/^ok +//'

bench: ## the figures, each with its peer, ratio and goal; writes bench/out/latest.json
	@cd bench && $(GO) run . -out out/latest.json

screens: prepare ## pictures of the main screens, as the browser tests see them, into docs/screens
	@WARIFU_SCREENS="$(CURDIR)/docs/screens" $(GO) test -count=1 -timeout 15m -run TestScreens ./internal/facetest

face: prepare ## every screen in chromium: axe, HTML, console, words, in both languages and sizes
	@WARIFU_FACE=1 $(GO) test -count=1 -timeout 60m ./internal/facetest

soak: prepare ## the long tests: crash loops, stateful tests, backlogs
	@WARIFU_SOAK=1 $(GO) test -json -timeout 80m -count=1 ./... 2>&1 | $(GO) run ./internal/testsummary -of $$($(GO) list ./... | wc -l)

fuzz: ## every fuzz target for FUZZTIME each (default 30s)
	@./build/fuzz.sh

release: ## static binaries for Linux, Windows and macOS under dist/
	@./build/release.sh "$(VERSION)"
