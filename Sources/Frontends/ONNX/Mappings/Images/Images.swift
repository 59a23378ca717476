extension ONNXMapping {
  static let images: [ONNXMapping] = [
    upsampleByAttribute, upsample, resizeByScales, resize, gridSample, roiAlign, col2im, maxUnpool, centerCropPad,
  ]
}
