import IR
import Support
import Targets

extension ProgramBuilder {
  /// A 3x3 convolution of stride one in f32 by Winograd's transforms, where that promises to be faster; false if not.
  func lowerWinograd(
    _ convolution: Convolution, _ vertical: WindowAxis, _ horizontal: WindowAxis
  ) throws(Diagnostic) -> Bool {
    guard case .weight(let key, let source) = convolution.filters.place, convolution.multiplication.left == .f32,
      convolution.filters.element == .f32, convolution.geometry.window == [3, 3],
      convolution.geometry.strides == [1, 1], convolution.geometry.dilations == [1, 1], convolution.groups == 1,
      let (plan, tile) = try WinogradChoice(convolution, vertical, horizontal, profile).best()
    else { return false }
    let multiplication = convolution.multiplication
    let layout = PanelLayout(
      vectors: tile.vectors, lanes: multiplication.lanes, group: 1, depth: Dim(plan.channels),
      columns: Dim(plan.columns))
    let filters = WinogradFilters(plan: plan, layout: layout)
    let packed = weightBuffer(
      key.derived("winograd\(plan.transform.outputs)_panels\(layout.width)"), bytes: filters.bytes
    ) { filters.pack(source.bytes) }
    let inputs = addBuffer("tiles of \(convolution.site)", bytes: plan.bytes(plan.channels), .workspace)
    let products = addBuffer("products of \(convolution.site)", bytes: plan.bytes(plan.columns), .workspace)
    let epilogue = try self.epilogue(of: convolution)
    try dispatch("winograd_in", at: convolution.site) { scope throws(Diagnostic) in
      try WinogradInputGenerator(
        plan: plan, image: convolution.pixels.buffer, pitch: convolution.pixels.pitch, planes: inputs
      ).generate(scope)
    }
    try dispatch("winograd", at: convolution.site) { scope throws(Diagnostic) in
      try WinogradProductGenerator(
        plan: plan, multiplication: multiplication, tile: tile, layout: layout, inputs: inputs, filters: packed,
        products: products
      ).generate(scope)
    }
    try dispatch("winograd_out", at: convolution.site) { scope throws(Diagnostic) in
      try WinogradOutputGenerator(plan: plan, products: products, epilogue: epilogue).generate(scope)
    }
    return true
  }
}

/// Whether Winograd's transforms pay for a convolution, and with tiles of which size.
///
/// Products become fewer, weights more: for late layers of few pixels it is memory that decides. Estimates are in
/// cycles of one core.
struct WinogradChoice {
  private let convolution: Convolution
  private let vertical: WindowAxis
  private let horizontal: WindowAxis
  private let profile: Profile

  init(_ convolution: Convolution, _ vertical: WindowAxis, _ horizontal: WindowAxis, _ profile: Profile) {
    self.convolution = convolution
    self.vertical = vertical
    self.horizontal = horizontal
    self.profile = profile
  }

  /// Bytes of weights a cycle that come from beyond the caches, fetched ahead.
  private static let farBytesPerCycle = 10.0
  /// Vector instructions of a transform in one cycle.
  private static let transformsPerCycle = 2.0
  /// What the transforms write, at most: beyond it they would not stay in any cache.
  private static let largestPlanes = 16 << 20
  /// Less than this share of the direct way's time is worth the greater weights.
  private static let worthwhile = 0.85

  func best() throws(Diagnostic) -> (WinogradPlan, Tile)? {
    // Without vectors the transforms cost as much as they save; with little memory greater weights are not wanted.
    guard profile.lanes(bits: 32) >= 4, profile.memoryLimitBytes == nil, convolution.channels >= 16,
      convolution.columns >= 16
    else { return nil }
    var least = try direct() * Self.worthwhile
    var result: (WinogradPlan, Tile)?
    for outputs in [2, 4] {
      let plan = WinogradPlan(
        outputs: outputs, batch: convolution.image.shape[0], vertical, horizontal, channels: convolution.channels,
        columns: convolution.columns, lanes: convolution.multiplication.lanes)
      let planeBytes = plan.planes * plan.tilesPerImage * 4 * (plan.channels + plan.columns)
      guard planeBytes <= Self.largestPlanes else { continue }
      let tile = try TileChoice.best(
        convolution.multiplication, rows: plan.tiles, columns: Dim(plan.columns), profile: profile)
      let cycles = cost(plan, tile)
      if cycles < least {
        least = cycles
        result = (plan, tile)
      }
    }
    return result
  }

  /// Of one image.
  private func direct() throws(Diagnostic) -> Double {
    let (height, width) = (vertical.output, horizontal.output)
    let tile = try TileChoice.best(
      convolution.multiplication, height: height, width: width, columns: convolution.columns, profile: profile)
    let steps = Double(vertical.allTaps * horizontal.allTaps) / Double(height * width) * Double(convolution.channels)
    let step = TileChoice.cost(
      tile, convolution.multiplication, Dim(height * width), Dim(convolution.columns), profile)
    let bytes = Double(9 * convolution.channels * convolution.columns * 4)
    return max(step * steps, far(bytes))
  }

  private func cost(_ plan: WinogradPlan, _ tile: Tile) -> Double {
    let step = TileChoice.cost(
      tile, convolution.multiplication, Dim(plan.tilesPerImage), Dim(plan.columns), profile)
    let bytes = Double(plan.planes * plan.channels * plan.columns * 4)
    let products = max(step * Double(plan.planes * plan.channels), far(bytes))
    let vectors = Double((plan.pitch(plan.channels) + plan.pitch(plan.columns)) / plan.lanes)
    // Each element is read, written and computed with twice, by about as many operations as a tile has along an axis.
    let instructions = Double(plan.planes * 8) * vectors * Double(plan.tilesPerImage)
    return products + instructions / Self.transformsPerCycle
  }

  /// Weights that a core's own cache holds come for free.
  private func far(_ bytes: Double) -> Double { bytes <= Double(profile.l2Bytes) ? 0 : bytes / Self.farBytesPerCycle }
}
