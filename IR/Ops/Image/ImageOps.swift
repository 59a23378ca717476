/// The ops that sample images at places between their elements, or put them together from parts.
let imageOps: [any OpKind.Type] = [Resize.self, GridSample.self, RegionAlign.self, Fold.self, MaxPoolIndex.self]
