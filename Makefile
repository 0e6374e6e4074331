# SPDX-License-Identifier: Apache-2.0

# Every target stands alone: it installs what it needs and builds what it needs, from any earlier state.

# For the server: make run ARGS='--listen 127.0.0.1:8080'
ARGS ?=
# For the crash test: how often the server is killed.
ROUNDS ?= 1000
# For the simulation: with which seed it begins, how many worlds, and how many steps with faults in each.
SEED ?= $(shell git rev-parse HEAD 2>/dev/null || echo 1)
SEEDS ?= 1000
STEPS ?= 5000
# For the chaos run: how long, in which order of faults, and its other options, such as CHAOS='--only reserve --stores clickhouse'.
MINUTES ?= 3
CHAOS_SEED ?=
CHAOS ?=
# For the fuzzer: how long it looks.
SECONDS ?= 60
# For the planted faults: some of them, such as MUTANTS='07 31'.
MUTANTS ?=
# For the benchmark: some rows of its table, and how it is measured, such as ROWS='counter-64 ndjson --rounds 3'.
ROWS ?=
# For the measurements of stores: some of them, such as PARTS='read --store SQLite'.
PARTS ?=
# For the try on a new machine: all, services, run or test; and as which users.
PART ?= all
USERS ?= root user

.DEFAULT_GOAL := help
.PHONY: help run test test-tansu test-browser build release format lint crash chaos simulate simulate-many fuzz mutants bench measure micro-bench fresh clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Build for release and serve; options go into ARGS='--listen 127.0.0.1:8080'
	@Scripts/run $(ARGS)

test: ## Check the format, build with warnings as errors when CI is set, and run every test
	@Scripts/test

test-tansu: ## Run the tests with Tansu, a broker of Kafka's protocol, and librdkafka 2.16 alone; they are part of test
	@Scripts/install-packages
	swift build --build-tests --enable-all-traits
	@Scripts/test-tansu

test-browser: ## Run the tests in a real browser alone; they are part of test
	@Scripts/install-packages
	swift build --product tally --enable-all-traits
	@Scripts/test-browser

build: ## Build the program and its tests for debugging
	@Scripts/install-packages
	swift build --build-tests --enable-all-traits

release: ## Build the program for production: .build/release/tally
	@Scripts/install-packages
	swift build --configuration release --product tally --enable-all-traits

format: ## Rewrite the sources in the project's format
	swift format --in-place --recursive --parallel Sources Tests Package.swift \
		Benchmarks/Package.swift Benchmarks/Benchmarks/Parts/*.swift \
		Fuzz/Package.swift Fuzz/Sources/HotRequestFuzzer/Fuzzer.swift

lint: ## Check the format without changing anything
	@Scripts/lint

crash: ## Kill the server ROUNDS times under load and compare every count (ROUNDS=1000)
	@Scripts/crash $(ROUNDS)

chaos: ## Kill, pause and cut off the parts of whole deployments for MINUTES, and compare every count (MINUTES=3 CHAOS_SEED=… CHAOS='--only reserve')
	@Scripts/install-packages
	swift build --product tally --enable-all-traits
	@Scripts/chaos --minutes $(MINUTES) $(if $(CHAOS_SEED),--seed $(CHAOS_SEED)) $(CHAOS)

simulate: ## Simulate one deployment with every fault (SEED=the commit STEPS=5000)
	@Scripts/simulate run $(SEED) $(STEPS)

simulate-many: ## Simulate SEEDS deployments, beginning with SEED (SEED=the commit SEEDS=1000 STEPS=5000)
	@Scripts/simulate many $(SEEDS) $(STEPS) $(SEED)

fuzz: ## Let a fuzzer look for SECONDS for a request that the hot path and the HTTP codec read differently (SECONDS=60)
	@Scripts/fuzz $(SECONDS)

mutants: ## Plant faults in copies of the sources, which the simulation must find; some with MUTANTS='07 31'
	@Scripts/mutants $(MUTANTS)

bench: ## Measure beside nginx, Redis and PostgreSQL, one table; some rows with ROWS='counter-64 ndjson', a try with ROWS=--quick
	@Scripts/bench $(ROWS)

measure: ## Measure INSERTs, rows, bytes and reading in each store and layout; some with PARTS='active read', or logs with PARTS=logs
	@Scripts/measure $(PARTS)

micro-bench: ## Measure the parts of the core one by one
	@Scripts/install-packages
	swift package --package-path Benchmarks benchmark

fresh: ## Try make run and make test in a bare Debian 12, as root and as an ordinary user (PART=services|run|test|all USERS='root user')
	@Scripts/fresh $(PART) $(USERS)

clean: ## Remove what was built; counts in tally-data stay
	rm -rf .build Benchmarks/.build Fuzz/.build
