import IR
import Support

/// Walks decision trees with rows as lanes: a step of all of them is three gathers and a comparison, and a tree is done
/// when the last one has come to a leaf. Tables are constants whose indices have been checked, so nothing is checked here.
struct TreeWalkGenerator {
  let op: TreeEnsemble
  /// Rows and features.
  let shape: [Dim]
  let trees: Int
  let nodes: Int
  /// Outputs that a leaf has weights for.
  let width: Int
  let x: TensorView
  let features: TensorView
  let thresholds: TensorView
  let children: TensorView
  let roots: TensorView
  let targets: TensorView
  let weights: TensorView
  let target: TensorView

  /// What lies on the stack while a block of rows walks.
  private static let mostSums = 1 << 13

  private struct Tables {
    let x: BufferReference
    let features: BufferReference
    let thresholds: BufferReference
    let children: BufferReference
    let weights: BufferReference
  }

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let form = try ElementForm(target.element)
    let lanes = scope.profile.lanes(bits: form.register.bits)
    guard op.outputs * lanes <= TreeWalkGenerator.mostSums else {
      throw .unsupported("trees with \(op.outputs) outputs have no code, at most \(TreeWalkGenerator.mostSums / lanes)")
    }
    let roots = scope.buffer(self.roots.buffer, .i32, .read)
    let targets = scope.buffer(self.targets.buffer, .i32, .read)
    let tables = Tables(
      x: scope.buffer(x.buffer, form.memory, .read), features: scope.buffer(features.buffer, .i32, .read),
      thresholds: scope.buffer(thresholds.buffer, form.memory, .read),
      children: scope.buffer(children.buffer, .i32, .read), weights: scope.buffer(weights.buffer, form.memory, .read))
    let to = scope.buffer(target.buffer, form.memory, .write)
    let sums = build.local("sums", form.register, count: op.outputs * lanes)
    let type = LoopType(form.register, lanes: lanes)
    let neutral = build.float(op.function == .sum ? 0 : op.function == .min ? .infinity : -.infinity, type)
    let rows = shape[0]
    scope.partition(rows.ceilDivided(by: Dim(lanes))) { low, high in
      build.forEach(low, high) { block in
        let first = build.mul(block, lanes)
        let left = build.sub(scope.index(rows), first)
        let bases = bases(scope, first, lanes)
        func sum(_ output: LoopValue) -> Address { Address(sums, build.mul(output, lanes)) }
        build.forEach(build.index(0), build.index(op.outputs)) { build.store(neutral, sum($0)) }
        build.forEach(build.index(0), build.index(trees)) { tree in
          let root = build.load(LoopType(.i32), Address(roots, build.add(tree, self.roots.offset.constant ?? 0)))
          let leaf = walk(scope, from: build.splat(root, lanes: lanes), bases, tables)
          let place = build.load(LoopType(.i32), Address(targets, build.add(tree, self.targets.offset.constant ?? 0)))
          let start = build.convert(.signExtend, place, to: .index)
          let entry = build.mul(leaf, build.integer(width, build.type(leaf)))
          build.forEach(build.index(0), build.index(width)) { number in
            let indices = build.add(entry, build.splat(number, lanes: lanes))
            let weight = scope.read(tables.weights, form, positions: indices)
            let address = sum(build.add(start, number))
            build.store(joined(build, build.load(type, address), weight), address)
          }
        }
        let mask = lanes > 1 ? build.prefixMask(left, lanes: lanes) : nil
        build.forEach(build.index(0), build.index(op.outputs)) { output in
          let goal = build.add(build.add(build.mul(first, op.outputs), output), scope.index(target.offset))
          scope.write(build.load(type, sum(output)), to: to, form, at: goal, stride: Dim(op.outputs), mask: mask)
        }
      }
    }
  }

  private func joined(_ build: KernelBuilder, _ a: LoopValue, _ b: LoopValue) -> LoopValue {
    switch op.function {
    case .sum: build.add(a, b)
    case .min: build.min(a, b)
    case .max: build.max(a, b)
    }
  }

  /// Where the features of each lane's row begin; lanes behind the last row take that one.
  private func bases(_ scope: KernelScope, _ first: LoopValue, _ lanes: Int) -> LoopValue {
    let build = scope.build
    let last = build.splat(build.sub(scope.index(shape[0]), build.index(1)), lanes: lanes)
    let wide = LoopType(.i64, lanes: lanes)
    let own = lanes > 1 ? build.add(build.splat(first, lanes: lanes), build.iota(wide)) : first
    let row = build.mul(build.min(own, last), build.splat(scope.index(shape[1]), lanes: lanes))
    return build.add(row, build.splat(scope.index(x.offset), lanes: lanes))
  }

  /// The number of the leaf that each lane comes to, as i64.
  private func walk(
    _ scope: KernelScope, from root: LoopValue, _ bases: LoopValue, _ tables: Tables
  ) -> LoopValue {
    let build = scope.build
    let narrow = build.type(root)
    let wide = build.type(bases)
    let zero = build.zero(narrow)
    func index(_ value: LoopValue) -> LoopValue { build.convert(.signExtend, value, to: wide) }
    func number(_ buffer: BufferReference, _ indices: LoopValue) -> LoopValue {
      wide.lanes == 1
        ? build.load(narrow, Address(buffer, indices)) : build.gather(narrow, Address(buffer), indices: indices)
    }
    func real(_ buffer: BufferReference, _ indices: LoopValue) -> LoopValue {
      let type = LoopType(build.scalarType(of: buffer), lanes: wide.lanes)
      return wide.lanes == 1
        ? build.load(type, Address(buffer, indices)) : build.gather(type, Address(buffer), indices: indices)
    }
    var end = root
    if nodes > 0 {
      end =
        build.whileLoop(
          carrying: [root],
          condition: { carried in
            let isInside = build.compare(.ge, carried[0], zero)
            return wide.lanes > 1 ? build.reduce(.or, isInside) : isInside
          },
          { carried in
            let node = index(build.max(carried[0], zero))
            let feature = index(number(tables.features, node))
            let value = real(tables.x, build.add(bases, feature))
            let isAtMost = build.compare(.le, value, real(tables.thresholds, node))
            let side = build.select(isAtMost, build.zero(wide), build.integer(1, wide))
            let child = number(tables.children, build.add(build.add(node, node), side))
            return [build.select(build.compare(.ge, carried[0], zero), child, carried[0])]
          })[0]
    }
    return index(build.sub(build.integer(-1, narrow), end))
  }
}
