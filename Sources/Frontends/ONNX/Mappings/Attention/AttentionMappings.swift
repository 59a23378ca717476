extension ONNXMapping {
  static let attentions: [ONNXMapping] = [attention, multiHeadAttention, rotaryEmbedding, microsoftRotaryEmbedding]
}
