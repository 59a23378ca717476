import Support

/// An array of a .npy file: dense, row-major, little-endian, whatever the file had.
public struct NumPyArray: Sendable, Hashable {
  public var type: ElementType
  public var dims: [Int]
  /// The elements; a view of the file where it has them in this form. Empty for texts.
  public var data: ByteView
  /// The elements of an array of texts.
  public var strings: [String]

  /// An array of numbers. `data` must have the size that `type` and `dims` ask for; writing checks it.
  public init(_ type: ElementType, dims: [Int], data: ByteView) {
    self.type = type
    self.dims = dims
    self.data = data
    self.strings = []
  }

  public init(strings: [String], dims: [Int]) {
    self.type = .string
    self.dims = dims
    self.data = .empty
    self.strings = strings
  }
}
