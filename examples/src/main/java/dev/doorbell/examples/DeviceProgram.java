package dev.doorbell.examples;

import dev.doorbell.address.Iova;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.vfio.IrqType;
import java.util.List;

/// What a driver has to know of one device: the registers by which it interrupts and copies memory.
public interface DeviceProgram {
  /// Takes a device's registers.
  @FunctionalInterface
  interface Factory {
    /// {@return the program of the device whose BAR 0 this is}
    ///
    /// @throws IllegalStateException when it is another device
    DeviceProgram on(RegisterBus registers);
  }

  IrqType irqs();

  /// {@return how many vectors the device has}
  int vectors();

  /// Makes the device raise a vector.
  void ring(int vector);

  /// {@return the steps of a copy; each is begun when the one before it has ended, and ends with an interrupt}
  ///
  /// @param bytes up to 4096
  /// @param vector which one tells the end of each step
  List<Runnable> copy(Iova from, Iova to, int bytes, int vector);

  /// Tells the device that its interrupt has been seen.
  void acknowledge();
}
