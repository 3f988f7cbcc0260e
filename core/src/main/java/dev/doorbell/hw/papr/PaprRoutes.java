package dev.doorbell.hw.papr;

/// Names under which the routes of sources are told, as the registers of other hardware are.
final class PaprRoutes {
  /// Told where the guest manages its interrupts itself (XIVE).
  static final String EXPLOITED = "H_INT_GET_SOURCE_CONFIG";

  private PaprRoutes() {}

  /// {@return the name of a source's processor}
  static String server(int number) {
    return "server of 0x%x".formatted(number);
  }

  /// {@return the name of a source's state (PQ)}
  static String state(int number) {
    return "PQ of 0x%x".formatted(number);
  }

  /// {@return the name of a source's priority}
  static String priority(int number) {
    return "priority of 0x%x".formatted(number);
  }
}
