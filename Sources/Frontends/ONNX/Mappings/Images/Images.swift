extension ONNXMapping {
  static let images: [ONNXMapping] = [
    upsampleByAttribute, upsample, resizeByScales, resize, gridSample, roiAlign, affineGrid, col2im, maxUnpool,
    centerCropPad, regionPool,
  ]
}
