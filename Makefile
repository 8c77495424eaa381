# `make help` lists what there is. Everything that is missing on the machine is installed first.

# npm's programs first, and among them a current Node, so that an older one of the system only runs npm.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
# A third of what it takes to start one of our processes is compiling, of which tests start hundreds.
export NODE_COMPILE_CACHE := $(CURDIR)/node_modules/.cache/compile
SHELL := bash
WORKER = export MEDIASOUP_WORKER_BIN="$$(cat node_modules/.cache/worker-path)"
DEMO = client/dist/demo/index.html

.PHONY: help setup setup-tests setup-checks run test bench simulate soak load lambda sdk package prove-package prove-instance check record format generate clean

help: ## Lists the commands.
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: ## Installs what is missing: npm packages, Node, the mediasoup worker.
	@tools/dev/setup.sh

setup-tests:
	@tools/dev/setup.sh --tests

$(DEMO): $(shell find client/demo client/src proto/src client/vite.config.ts package-lock.json -type f)
	@vite build --config client/vite.config.ts --logLevel warn
	@touch $(DEMO)

setup-checks:
	@tools/dev/setup.sh --checks

run: setup ## Starts the control plane, a daemon and the demo page, and prints the address to open.
	@$(MAKE) --no-print-directory $(DEMO)
	@$(WORKER) && exec node tools/dev/run.ts

test: setup-tests ## Runs every test: unit, contract, browser and failure tests.
	@$(MAKE) --no-print-directory $(DEMO)
	@# libdatachannel's threads would keep a test's process alive after its end.
	@$(WORKER) && node --test --test-force-exit --test-concurrency=2 --test-timeout=600000 $(TESTS)

TESTS ?= $(shell git ls-files --cached --others --exclude-standard '*.test.ts')

soak: setup-tests ## Runs the long tests: FUZZ_RUNS meetings of up to FUZZ_LENGTH hostile messages, CYCLES of joining and leaving, COMMAND_FUZZ_RUNS requests to the gRPC port, HTTP_FUZZ_RUNS to the HTTP API, OUTAGE_MS without control plane and table, SUBSCRIBERS of one room on two workers, MEETINGS of two pages, BATCH_DATAGRAMS of the worker's sends.
	@$(WORKER) && FUZZ_RUNS=$${FUZZ_RUNS:-1800} FUZZ_LENGTH=$${FUZZ_LENGTH:-1000} CYCLES=$${CYCLES:-20000} COMMAND_FUZZ_RUNS=$${COMMAND_FUZZ_RUNS:-50000} HTTP_FUZZ_RUNS=$${HTTP_FUZZ_RUNS:-50000} OUTAGE_MS=$${OUTAGE_MS:-300000} SUBSCRIBERS=$${SUBSCRIBERS:-300} MEETINGS=$${MEETINGS:-500} BATCH_DATAGRAMS=$${BATCH_DATAGRAMS:-12200000} \
		node --test --test-force-exit --test-timeout=3600000 e2e/api/fuzz.test.ts e2e/api/everyLeaf.test.ts e2e/api/everyCommandField.test.ts e2e/api/everyHttpField.test.ts e2e/api/commandFuzz.test.ts e2e/failure/soak.test.ts e2e/failure/directory.test.ts e2e/api/mesh.test.ts e2e/browser/meeting.test.ts media-daemon/src/routers/mesh.property.test.ts tools/worker-build/batch/batch.test.ts

load: setup ## Puts rooms full of peers on a deployment, and measures what they receive: ARGS='--help' tells how.
	@$(WORKER) && exec node tools/load/main.ts $(ARGS)

bench: setup-tests ## Runs the benchmarks, which print ratios measured in one run.
	@$(WORKER) && for file in $(BENCHMARKS); do echo "== $$file"; node $$file || exit 1; done

simulate: setup ## Simulates a fleet: the real assignment of PEERS to DAEMONS over a simulated table and clock.
	@node tools/simulate/fleet.simulation.ts $${DAEMONS:-1000} $${PEERS:-100000}

BENCHMARKS ?= $(shell git ls-files '*.bench.ts')

lambda: setup ## Bundles the control plane for AWS Lambda into deploy/lambda/dist, and prints its size.
	@node tools/lambda/bundleLambda.ts deploy/lambda/dist

sdk: setup ## Builds the browser SDK into client/dist/sdk, and prints its sizes.
	@node client/buildSdk.ts

# Packages take our own worker, where the authors' would run too.
package: export MEDIASOUP_SERVER_WORKER = build
package: setup ## Packs both servers and the command line for machines with systemd, into deploy/package/dist.
	@$(WORKER) && deploy/package/build.sh deploy/package/dist

prove-package: package ## Installs the package on a bare Debian under systemd, runs, upgrades and removes it. Needs root.
	@deploy/package/prove.sh deploy/package/dist

prove-instance: package ## Boots a bare Debian under systemd as an instance of the autoscaling group, with stand-ins for AWS. Needs root.
	@deploy/terraform/modules/media-daemons/prove/prove.sh "$$(ls deploy/package/dist/*.deb)"

# Every folder with a tsconfig.json.
PROJECTS = $(patsubst %/tsconfig.json,%,$(shell git ls-files '*/tsconfig.json'))

check: setup-checks ## Lint, format, types, contracts, dead code, import directions, scripts, Terraform, links, generated files.
	biome check --error-on-warnings .
	for project in $(PROJECTS); do tsc -p $$project || exit 1; done
	buf lint
	buf format --diff --exit-code
	@tag=$$(git describe --tags --abbrev=0 2>/dev/null) \
		&& buf breaking --against ".git#tag=$$tag" || test -z "$$tag" \
		&& echo "buf breaking: against $${tag:-nothing, since no release is tagged yet}"
	knip
	shellcheck -x -P SCRIPTDIR $$(git ls-files '*.sh' '*.sh.tftpl')
	node tools/terraform-check/main.ts
	$(MAKE) --no-print-directory links generate
	git diff --exit-code -- $(GENERATED)
	@! git ls-files --others --exclude-standard -- $(GENERATED) | grep . || { echo 'generated and not committed'; exit 1; }

GENERATED = docs/reference proto/src/gen proto/asyncapi.json proto/openapi.json deploy/grafana/mediasoup-server.json deploy/terraform/modules/*/README.md

record: setup-tests ## Records the examples of the signaling reference anew, from a real meeting.
	@$(WORKER) && RECORD=1 node --test --test-force-exit e2e/api/signaling.test.ts
	@$(MAKE) --no-print-directory generate

generate: ## Generates code, the pages of docs/reference, the modules' tables and the dashboard.
	buf generate
	node tools/terraform-check/tables.ts
	node tools/generate/signaling/write.ts
	node tools/generate/openApiFile.ts
	client/node_modules/.bin/typedoc --options client/reference/typedoc.json
	node tools/generate/references/write.ts
	node tools/generate/dashboardFile.ts

links: ## Checks that every link between the documents resolves, to files and to headings.
	@docs/node_modules/.bin/remark --quiet --no-stdout --frail --use ./docs/node_modules/remark-validate-links/index.js=repository:false $$(git ls-files --cached --others --exclude-standard '*.md' ':!tools/generate/references/templates')

docs: setup-tests setup-checks links ## Builds the site of docs/ into docs/dist, checks its links, and runs the samples in the pages.
	@docs/node_modules/.bin/vitepress build docs
	@$(WORKER) && node --test --test-force-exit --test-timeout=600000 $$(git grep --files-with-matches codeIn -- '*.test.ts')

format: ## Formats everything.
	biome check --write .
	buf format --write

clean: ## Removes what was installed and built here, and the local data.
	rm -rf node_modules docs/node_modules client/dist docs/dist deploy/lambda/dist deploy/package/dist data artefacts
