# Everything a person or a machine does with this project. `make help` explains.
SHELL := /bin/bash
.DEFAULT_GOAL := help
SWIFT ?= swift
FILES := Package.swift Plugins Sources Tests Examples
# Exactly the versions of packages that Package.swift names.
export MILLRACE_EXACT := 1
# The package manager passes some options in the order of a hash table. Another order would build what has not changed again.
SWIFT_BUILD = SWIFT_DETERMINISTIC_HASHING=1 $(SWIFT) build

.PHONY: help setup folders build demo test faults docs format lint style bench learn proto fields integration fuzz-http drill-brokers drill-upgrade drill-scale deb deb-test clean

help: ## Show this
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

setup: ## Install the system libraries that are missing, and say so
	@Tools/setup

# The package manager keeps what it knew of the domains' folders: it is to look again where one came or went.
folders:
	@Tools/folders

build: setup folders ## Build millrace, optimized, at .build/release/millrace
	@echo "build: the first one takes some minutes"
	@$(SWIFT_BUILD) -c release --product millrace

demo: build ## Run the whole of it on this machine for some seconds, and show what came out
	@.build/release/millrace demo

test: setup folders ## Build and run all tests, and sum up what came of them
	@Tools/programs test zsh=zsh fish=fish || echo "test: without them the tests of completion there are skipped"
	@Tools/programs test chromium=chromium chromedriver=chromium-driver || echo "test: without them the tests of pages in a browser are skipped"
	@SWIFT=$(SWIFT) Tools/test

faults: setup folders ## Kill, freeze and starve real workers under load, and prove that nothing was lost (3 minutes; MILLRACE_MINUTES, MILLRACE_SEED)
	@echo "faults: the first build takes some minutes"
	@$(SWIFT_BUILD) -c release --product millrace
	@$(SWIFT_BUILD) -c release --product SkewedClock
	@$(SWIFT_BUILD) -c release --product faults
	@.build/release/faults

format: ## Format all Swift sources in place
	@$(SWIFT) format --in-place --recursive --parallel $(FILES)

docs: setup folders ## Build the documentation of the public modules, .build/docs, without a warning
	@SWIFT=$(SWIFT) Tools/docs

lint: style ## Check format, style and subjects of commits without changing anything
	@Tools/subjects

style:
	@$(SWIFT) format lint --strict --recursive --parallel $(FILES)

learn: setup folders ## Learn the models of social again and print their figures (minutes; DATA=folder of the data sets)
	@$(SWIFT_BUILD) -c release --product learn
	@for model in suggestions accounts moments; do .build/release/learn $$model $(or $(DATA),../shared/data) || exit; done

bench: build ## Measure millrace beside what else there is (about ten minutes; MILLRACE_TEST_KAFKA=host:port for a broker's rows)
	@Tools/peers
	@$(SWIFT_BUILD) -c release --product bench
	@.build/release/bench --json .build/bench.jsonl

proto: ## Generate Swift from every .proto (needs protobuf-compiler)
	@Tools/proto

fields: folders ## Add new fields and kinds of the .proto files to their history, fields.txt and samples.txt beside their tests
	@MILLRACE_ADD_FIELDS=1 $(SWIFT) test --filter 'DomainTests.(FieldHistory|SampleBytes)Tests'

integration: setup folders ## Run all tests against a real broker: MILLRACE_TEST_KAFKA=host:port make integration
	@if [ -z "$$MILLRACE_TEST_KAFKA" ]; then echo "integration: set MILLRACE_TEST_KAFKA=host:port of a Kafka broker"; exit 2; fi
	@SWIFT=$(SWIFT) Tools/test

fuzz-http: build ## Send requests of all kinds, made by schemathesis from the OpenAPI document, to a gateway (needs PyPI; MILLRACE_SEED)
	@Tools/fuzz-http

drill-upgrade: build ## Replace workers of an older program under load: make drill-upgrade OLD=revision-or-program [NEW=program | FIELD=1]
	@if [ -z "$(OLD)" ]; then echo "drill-upgrade: set OLD to a revision of git, or to an older millrace"; exit 2; fi
	@SWIFT=$(SWIFT) Tools/drill-upgrade --old "$(OLD)" $(if $(NEW),--new "$(NEW)") $(if $(FIELD),--field) --seconds $(or $(SECONDS_OF_LOAD),40)

drill-brokers: build ## Lose one broker each minute under load: make drill-brokers LOSE=command BACK=command [BROKERS=1,2,3 MILLRACE_MINUTES=10]
	@Tools/drill-brokers --lose '$(LOSE)' --back '$(BACK)' --brokers "$(or $(BROKERS),1,2,3)" --minutes "$(or $(MILLRACE_MINUTES),10)"

drill-scale: build ## Measure groups of 100 and 1,000 partitions: memory, start, rebalance
	@Tools/drill-scale

deb: setup folders ## Build a Debian package, .build/millrace_VERSION_ARCH.deb, that needs no Swift where it is installed
	@SWIFT=$(SWIFT) Tools/deb

deb-test: ## Install that package into a clean Debian made by debootstrap, use it there and remove it (needs root and Debian's mirror)
	@Tools/deb-test

clean: ## Remove what was built
	@rm -rf .build
