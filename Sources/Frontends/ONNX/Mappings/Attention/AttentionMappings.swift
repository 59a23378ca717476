extension ONNXMapping {
  static let attentions: [ONNXMapping] = [
    attention, multiHeadAttention, groupQueryAttention, packedAttention, rotaryEmbedding, microsoftRotaryEmbedding,
  ]
}
