# SPDX-License-Identifier: Apache-2.0

# Every target stands alone: it installs what it needs and builds what it needs, from any earlier state.

# For the server: make run ARGS='--listen 127.0.0.1:8080'
ARGS ?=
# For the crash test: how often the server is killed.
ROUNDS ?= 1000

.DEFAULT_GOAL := help
.PHONY: help run test build release format lint crash clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Build for release and serve; options go into ARGS='--listen 127.0.0.1:8080'
	@Scripts/run $(ARGS)

test: ## Check the format, build with warnings as errors when CI is set, and run every test
	@Scripts/test

build: ## Build the program and its tests for debugging
	@Scripts/install-packages
	swift build --build-tests

release: ## Build the program for production: .build/release/tally
	@Scripts/install-packages
	swift build --configuration release --product tally

format: ## Rewrite the sources in the project's format
	swift format --in-place --recursive --parallel Sources Tests Package.swift

lint: ## Check the format without changing anything
	@Scripts/lint

crash: ## Kill the server ROUNDS times under load and compare every count (ROUNDS=1000)
	@Scripts/crash $(ROUNDS)

clean: ## Remove what was built; counts in tally-data stay
	rm -rf .build
