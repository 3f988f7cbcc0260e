package dev.doorbell.vfio;

/// Doorbell's own stack as an implementation of {@link Vfio}: on embedded models, on an emulator's devices, or on bare hardware.
public final class OwnStack {
  private OwnStack() {}

  /// {@return access to the devices of a host that Doorbell drives itself}
  public static Vfio over(OwnHost host) {
    return new OwnVfio(host);
  }
}
