package dev.doorbell.hw.smmuv3;

/// The hardware lacks something that the driver cannot do without.
public final class SmmuUnsupportedException extends SmmuException {
  private static final long serialVersionUID = 1L;

  /// @param register the identification register
  /// @param value its content
  /// @param lacks what is missing
  public SmmuUnsupportedException(String smmu, String register, long value, String lacks) {
    super("%s cannot be driven: %s is 0x%x, %s".formatted(smmu, register, value, lacks));
  }
}
