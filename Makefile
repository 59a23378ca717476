# The commands of the README. Each target is a script of its own or one line.

SWIFT ?= swift
MARTLET = .build/release/martlet
# Tests run optimised: the definitions of the ops are naive loops, and slow ones without.
TESTED = -c release -Xswiftc -enable-testing
FORMATTED = Package.swift IR Targets Sources Tests

.PHONY: help setup build demo test test-ir conformance bench format lint clean

help:
	@echo "make setup    install what is missing from Debian"
	@echo "make demo     build martlet, compile an example model and run it"
	@echo "make test     build and run all tests"
	@echo "make test-ir  the tests that need neither LLVM nor Python"
	@echo "make conformance  run the ONNX project's own tests of backends (needs Python, fetches onnx where it is missing)"
	@echo "make bench    measure models beside onnxruntime and openvino, as installed; MODELS='a.onnx folder' for others"
	@echo "make format   format all Swift code; make lint only looks"

setup:
	@Tests/Tools/setup.sh

build: setup
	$(SWIFT) build -c release --product martlet

demo: build
	@Examples/digits/demo.sh $(MARTLET)

test: setup
	$(SWIFT) build -c release --product martlet
	$(SWIFT) test $(TESTED) --scratch-path .build/tests

# A build folder of its own: the two ways to build would undo each other's work.
test-ir:
	MARTLET_LLVM=0 $(SWIFT) test $(TESTED) --scratch-path .build/ir

conformance: setup
	$(SWIFT) build -c release --product martlet-c
	@Tests/Conformance/onnx/run.sh

bench: build
	@python3 Tests/Benchmarks/versus.py --martlet $(MARTLET) --save .build/bench.json $(MODELS)

format:
	$(SWIFT) format --in-place --recursive $(FORMATTED)

lint:
	$(SWIFT) format lint --strict --recursive $(FORMATTED)

clean:
	rm -rf .build
