import Support

/// Where the parts of a program stand in its text, for the verifier's messages: offsets in bytes.
struct ProgramPlaces {
  struct Entry {
    var start = 0
    var symbols: [Int] = []
    var inputs: [Int] = []
    var outputs: [Int] = []
    var slots: [Int] = []
    var buffers: [Int] = []
    /// In the order of the text, steps inside of others behind them.
    var steps: [Int] = []
  }

  var start = 0
  var weights: [Int] = []
  var states: [Int] = []
  var entries: [Entry] = []
  var kernels: [Int] = []
}
