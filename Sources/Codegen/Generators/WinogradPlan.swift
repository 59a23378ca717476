import IR
import Targets

/// A 3x3 convolution of stride one by Winograd's transforms: its tiles and where everything lies.
///
/// The result is cut into tiles of `outputs` by `outputs` pixels. Three kernels follow each other: one transforms the
/// inputs of each tile, one multiplies, one transforms the products back. What the transforms make has one plane for
/// each of the tile's elements; a plane is a matrix of tiles by channels, and the second kernel is a matrix product
/// in every plane.
struct WinogradPlan {
  let transform: WinogradTransform
  let batch: Dim
  /// The tiles' windows over the image.
  let vertical: WindowAxis
  let horizontal: WindowAxis
  let channels: Int
  let columns: Int
  let lanes: Int

  init(
    outputs: Int, batch: Dim, _ vertical: WindowAxis, _ horizontal: WindowAxis, channels: Int, columns: Int, lanes: Int
  ) {
    transform = WinogradTransform(outputs: outputs)
    self.batch = batch
    self.vertical = Self.tiles(vertical, transform)
    self.horizontal = Self.tiles(horizontal, transform)
    resultHeight = vertical.output
    resultWidth = horizontal.output
    self.channels = channels
    self.columns = columns
    self.lanes = lanes
  }

  let resultHeight: Int
  let resultWidth: Int

  private static func tiles(_ axis: WindowAxis, _ transform: WinogradTransform) -> WindowAxis {
    WindowAxis(
      input: axis.input, output: (axis.output + transform.outputs - 1) / transform.outputs,
      window: transform.products, stride: transform.outputs, dilation: 1, before: axis.before)
  }

  /// The tiles' pixels in the result; those of the last may lie outside.
  func resultAxis(_ extent: Int) -> WindowAxis {
    WindowAxis(
      input: extent, output: (extent + transform.outputs - 1) / transform.outputs, window: transform.outputs,
      stride: transform.outputs, dilation: 1, before: 0)
  }

  var planes: Int { transform.products * transform.products }
  var tilesPerImage: Int { vertical.output * horizontal.output }
  var tiles: Dim { batch * tilesPerImage }

  /// Elements from one tile to the next in a plane of `channels` channels: whole vectors.
  func pitch(_ channels: Int) -> Int { (channels + lanes - 1) / lanes * lanes }
  /// Elements from one plane to the next. The line between keeps planes from falling into the same cache sets.
  func planeStride(_ channels: Int) -> Dim { tiles * pitch(channels) + 16 }
  /// The bytes of all planes.
  func bytes(_ channels: Int) -> Dim { planeStride(channels) * (planes * 4) }
}
