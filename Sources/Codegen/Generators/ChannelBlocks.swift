import Targets

/// The channels of an image, a vector at a time: whole vectors, then those that fill none, masked where that is cheap,
/// else in narrower vectors.
struct ChannelBlocks {
  let channels: Int
  let profile: Profile

  /// Channels that are computed together.
  struct Block {
    var channel: LoopValue
    var lanes: Int
    var mask: LoopValue?
  }

  func forEach(_ build: KernelBuilder, _ body: (Block) -> Void) {
    let lanes = profile.lanes(bits: 32)
    build.forEach(build.index(0), build.index(channels / lanes)) {
      body(Block(channel: build.mul($0, lanes), lanes: lanes))
    }
    var rest = channels % lanes
    guard rest > 0 else { return }
    if profile.hasMaskedMemory {
      let mask = build.prefixMask(build.index(rest), lanes: lanes)
      return body(Block(channel: build.index(channels - rest), lanes: lanes, mask: mask))
    }
    var width = lanes
    while rest > 0 {
      width /= 2
      guard rest >= width else { continue }
      body(Block(channel: build.index(channels - rest), lanes: width))
      rest -= width
    }
  }
}
