import Formats
import IR
import Support

/// From an ONNX model to a graph: one entry `main` whose inputs and outputs keep their names.
public struct ONNXFrontend {
  /// `file` is what errors call the model. `notes` are remarks on what was mended or assumed.
  public static func read(
    _ model: ONNXModel, file: String, options: ImportOptions = ImportOptions()
  ) throws(Diagnostic) -> (Module, notes: [String]) {
    let importer = ONNXImporter(model: model, file: file, options: options)
    do throws(Diagnostic) {
      try importer.run()
    } catch {
      var error = error
      if error.location?.file == nil {
        error.location = Location(file: file, offset: error.location?.offset, path: error.location?.path)
      }
      throw error
    }
    let notes = importer.notes
    return (importer.finish(), notes: notes)
  }
}
