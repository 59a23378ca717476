extension ONNXMapping {
  static let attentions: [ONNXMapping] = [
    attention, multiHeadAttention, groupQueryAttention, packedAttention, linearAttention, flexAttention,
    rotaryEmbedding,
    microsoftRotaryEmbedding,
  ]
}
