package dev.doorbell.vmm;

import dev.doorbell.bus.Rollback;
import dev.doorbell.linux.LinuxDevice;
import dev.doorbell.linux.LinuxOptions;
import dev.doorbell.linux.TakenFunctions;
import dev.doorbell.linux.kvm.VcpuExit;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.Container;
import java.util.List;
import java.util.function.IntConsumer;

/// A guest with a function of this host, from the function's driver to the guest and back: what was taken is given back by {@link #close}.
public final class GuestSession implements AutoCloseable {
  /// What is wanted.
  ///
  /// @param function of the host, which the guest gets
  /// @param terms how it may be taken
  public record Wanted(Sbdf function, TakenFunctions.Terms terms, VirtualMachine.Guest guest) {}

  private final Rollback parts;
  private final VirtualMachine machine;

  private GuestSession(Rollback parts, VirtualMachine machine) {
    this.parts = parts;
    this.machine = machine;
  }

  /// Looks whether a guest can be started here, without touching anything.
  ///
  /// @throws NotAnArmHost on another architecture
  /// @throws NoGuestInterrupts when the host's KVM has not what a guest needs
  /// @throws VmmException when the guest's kernel or memory will not do
  /// @throws dev.doorbell.linux.ErrnoException when there is no KVM
  public static void requireHost(LinuxOptions options, VirtualMachine.Guest guest) {
    String architecture = System.getProperty("os.arch");
    if (!architecture.equals("aarch64")) {
      throw new NotAnArmHost(architecture);
    }
    VirtualMachine.check(options.calls(), guest);
  }

  /// Binds the function to vfio-pci, opens it and makes the guest. Where something fails, everything is as before.
  ///
  /// @param out takes what the guest prints
  /// @throws NotAnArmHost on another architecture
  /// @throws NoGuestInterrupts when the host's KVM has not what a guest needs
  /// @throws dev.doorbell.vfio.VfioException when the function cannot be taken, or a mate of it works for the host
  /// @throws dev.doorbell.linux.LinuxException when the kernel refuses something, or the function works for the host and may not be taken
  public static GuestSession open(LinuxOptions options, Wanted wanted, IntConsumer out) {
    VirtualMachine.Guest guest = wanted.guest();
    requireHost(options, guest);
    Sbdf function = wanted.function();
    Rollback parts = new Rollback();
    try {
      TakenFunctions taken = TakenFunctions.of(options, List.of(function), wanted.terms(), parts);
      Container container = taken.container();
      LinuxDevice device = (LinuxDevice) taken.vfio().group(function).open(function);
      parts.add(device::close);
      VirtualMachine machine = new VirtualMachine(options.calls(), guest, container, device, out);
      parts.add(machine::close);
      return new GuestSession(parts, machine);
    } catch (RuntimeException | Error e) {
      parts.closeAfter(e);
      throw e;
    }
  }

  /// {@return the machine}
  public VirtualMachine machine() {
    return machine;
  }

  /// Runs the guest: {@link VirtualMachine#run}.
  public VcpuExit run(long millis) throws InterruptedException {
    return machine.run(millis);
  }

  /// Ends {@link #run}, with {@link VcpuExit.Stopped}. Called from any thread.
  public void stop() {
    machine.stop();
  }

  /// Hands a character to the guest's console. Called from any thread.
  public void type(int character) {
    machine.type(character);
  }

  @Override
  public void close() {
    parts.close();
  }
}
