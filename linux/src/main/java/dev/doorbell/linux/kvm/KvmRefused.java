package dev.doorbell.linux.kvm;

import dev.doorbell.address.AddressRange;
import dev.doorbell.linux.Because;
import dev.doorbell.linux.Errno;

/// Why KVM refuses a request, request by request: the same errno says something else at each.
///
/// **Source**: Linux 6.12 `virt/kvm/kvm_main.c`, `eventfd.c`, `irqchip.c`; `arch/x86/kvm/x86.c`; `arch/arm64/kvm`; `Documentation/virt/kvm/api.rst`
final class KvmRefused {
  private static final String LOOK = "look at the end of `dmesg`, where the kernel often says more";

  private KvmRefused() {}

  /// {@return why `/dev/kvm` is not opened}
  static Because open(Errno e) {
    return switch (e.name()) {
      case "ENOENT", "ENODEV", "ENXIO" ->
          new Because(
              "this kernel has no KVM, or the processor's virtualisation is off",
              "load kvm_intel or kvm_amd, turn virtualisation on in firmware, or, in a virtual machine, allow nesting; an Arm kernel has to be started at EL2");
      case "EACCES", "EPERM" ->
          new Because(
              "this user may not use KVM",
              "add the user to the group of /dev/kvm (`kvm`), or allow the device in this container");
      default -> Because.general(e);
    };
  }

  /// {@return why no machine is made}
  static Because machine(Errno e) {
    return switch (e.name()) {
      case "EBUSY", "EIO" ->
          new Because(
              "the processor's virtualisation cannot be turned on: another hypervisor has it, or firmware has locked it",
              "stop the other hypervisor and unload its module (such as vboxdrv or vmmon), or turn virtualisation on in firmware");
      case "ENOMEM" -> new Because("memory is short for a machine", "free memory");
      default -> Because.general(e);
    };
  }

  /// {@return why a PC's controllers are not made}
  static Because pc(Errno e) {
    return switch (e.name()) {
      case "ENOTTY", "ENXIO", "ENODEV" -> otherArchitecture("a PC's interrupt controllers");
      case "EEXIST" ->
          new Because("the machine has its controllers already", "make them once a machine");
      case "EINVAL" ->
          new Because(
              "there are processors already, the place of the task state lies beyond 4 GiB, or this is no x86 host",
              "make the controllers before the first processor, the task state below 4 GiB");
      case "ENOMEM" -> new Because("memory is short for the controllers", "free memory");
      default -> Because.general(e);
    };
  }

  private static Because otherArchitecture(String what) {
    return new Because(
        "this host's architecture has not " + what, "use a host of the guest's architecture");
  }

  /// {@return why a slot of memory is not taken}
  static Because memory(Errno e, int slot, AddressRange guest) {
    return switch (e.name()) {
      case "EEXIST" ->
          new Because(
              "slot %d at %s meets another slot".formatted(slot, guest),
              "place it elsewhere, or remove the other one first");
      case "EINVAL" ->
          new Because(
              "slot %d at %s is not taken: it has other memory already, or KVM has no slot of this number, or it is not made of whole pages"
                  .formatted(slot, guest),
              "remove the slot first; take a lower number; align both ends and the memory to pages");
      case "EFAULT" ->
          new Because(
              "%s lies beyond what the guest can address, or its memory is not this process's"
                  .formatted(guest),
              "place it lower: an Arm guest of the usual kind has 40 bits");
      case "ENOMEM" -> new Because("memory is short for the slot's tables", "free memory");
      default -> Because.general(e);
    };
  }

  /// {@return why a slot is not taken back}
  static Because noMemory(Errno e, int slot) {
    return e.equals(Errno.EINVAL)
        ? new Because(
            "there is no memory in slot %d".formatted(slot), "remove slots that were added, once")
        : Because.general(e);
  }

  /// {@return why a processor is not made}
  static Because processor(Errno e, int id) {
    return switch (e.name()) {
      case "EEXIST" ->
          new Because(
              "the machine has a processor %d".formatted(id), "give each a number of its own");
      case "EINVAL" ->
          new Because(
              "KVM takes no processor %d, or no more of them, here".formatted(id),
              "number processors from 0 up, and make fewer");
      case "EBUSY" ->
          new Because(
              "the machine's interrupt controller is set up already",
              "make all processors before the controller");
      case "ENOMEM" -> new Because("memory is short for a processor", "free memory");
      default -> Because.general(e);
    };
  }

  /// {@return why a line is not set}
  static Because line(Errno e, int line) {
    return switch (e.name()) {
      case "ENXIO" ->
          new Because(
              "the machine has no interrupt controllers in the kernel",
              "make them first (createPcInterrupts, or ArmGic)");
      case "EINVAL" ->
          new Because(
              "no input of the machine's controllers has number 0x%x".formatted(line),
              "on Arm make numbers with ArmGic.line, below what the controller was made with");
      default -> Because.general(e);
    };
  }

  /// {@return why a table of routes is not taken}
  ///
  /// @param count routes in it
  /// @param highest the highest interrupt in it
  static Because routes(Errno e, int count, int highest) {
    String table =
        "the kernel does not take %d routes up to interrupt %d".formatted(count, highest);
    return switch (e.name()) {
      case "EINVAL", "E2BIG" ->
          new Because(
              table + ": they are too many, or the machine has no interrupt controllers yet",
              "make the controllers first, and lead fewer vectors to the guest: a kernel has room for 4096 (KVM_MAX_IRQ_ROUTES), numbered below that");
      case "ENOMEM" -> new Because(table + ": memory is short", "free memory");
      default -> new Because(table + ": " + e.meaning(), Because.general(e).advice());
    };
  }

  /// {@return why an eventfd is not connected to an interrupt}
  static Because irqfd(Errno e, String event, int gsi) {
    return switch (e.name()) {
      case "EBUSY" -> new Because(event + " is connected", "end the other one first");
      case "EAGAIN" ->
          new Because(
              "the machine's interrupt controller is not set up yet",
              "make and initialise it before interrupts are led in");
      case "EINVAL" ->
          new Because(
              "interrupt %d takes no eventfd here: the machine has no such interrupt, or its controllers are outside the kernel and cannot tell when a level was handled"
                  .formatted(gsi),
              "make the controllers in the kernel first; a level needs a full set of them (createPcInterrupts)");
      case "ENOMEM" -> new Because("memory is short for a connection", "free memory");
      default -> Because.general(e);
    };
  }

  /// {@return why writes to a register are not watched}
  static Because ioeventfd(Errno e, AddressRange register) {
    return switch (e.name()) {
      case "EEXIST" ->
          new Because(
              "writes to %s signal an eventfd already".formatted(register),
              "watch each register once");
      case "EINVAL" ->
          new Because(
              "%s is no register: 1, 2, 4 or 8 bytes can be watched".formatted(register),
              "name a register of one of these sizes");
      case "ENOSPC" ->
          new Because(
              "the machine has no room for another watched register (1000, NR_IOBUS_DEVS)",
              "watch fewer registers");
      case "ENOMEM" -> new Because("memory is short for a watched register", "free memory");
      default -> Because.general(e);
    };
  }

  /// {@return why a message is not raised}
  static Because message(Errno e, GuestMsi m) {
    return switch (e.name()) {
      case "EBUSY" ->
          new Because(
              "the guest has not turned its ITS on", "wait until the guest has set its ITS up");
      case "EINVAL" ->
          new Because(
              "the machine has no controller in the kernel that takes messages, or its ITS wants a device id",
              "make the controllers first; hand the device id over where there is an ITS");
      case "ENODEV" ->
          new Because(
              "no ITS of the machine takes messages at 0x%x".formatted(m.address()),
              "send it to the ITS's GITS_TRANSLATER (V3Places.doorbell)");
      default -> Because.general(e);
    };
  }

  /// {@return why the kernel makes no device of a kind}
  static Because device(Errno e, String name) {
    return switch (e.name()) {
      case "ENODEV" ->
          new Because(
              "the kernel cannot make a " + name + " here",
              "use a host whose own interrupt controller is of this kind; a VFIO device needs CONFIG_KVM_VFIO");
      case "EEXIST" -> new Because("the machine has one", "make one " + name + " a machine");
      case "E2BIG" ->
          new Because(
              "the machine has more processors than a " + name + " can have",
              "make fewer processors; a GICv2 has 8");
      case "EBUSY" ->
          new Because(
              "a processor of the machine has run already, or runs",
              "make the " + name + " before the first processor runs");
      case "ENOMEM" -> new Because("memory is short for a " + name, "free memory");
      default -> Because.general(e);
    };
  }

  /// {@return why a device of the kernel is not set up as wanted}
  ///
  /// @param what what was to be set, as a noun with its value
  static Because attribute(Errno e, String what) {
    return switch (e.name()) {
      case "EEXIST" -> new Because(what + " is set already", "set it once");
      case "E2BIG" ->
          new Because(
              what + " lies beyond what the guest can address",
              "place it lower: an Arm guest of the usual kind has 40 bits");
      case "EINVAL" ->
          new Because(
              what + " is not taken: not aligned, out of range, or in the way of another one",
              "see the documentation of the kernel's device (Documentation/virt/kvm/devices)");
      case "ENXIO" ->
          new Because(
              what
                  + " cannot be set: this kernel does not know it, or what it needs is not placed yet",
              "place every part first; else use a newer kernel");
      case "ENODEV" ->
          new Because(
              what
                  + " cannot be set: the host's controller cannot stand in for it, or a processor is missing",
              "make all processors first, on a host whose controller is of this kind");
      case "EBUSY" ->
          new Because(
              what + " cannot change any more: it is set up, or a processor runs",
              "set everything up before the first processor runs");
      case "ENOMEM" -> new Because("memory is short for " + what, "free memory");
      default -> new Because("%s: %s".formatted(what, e.meaning()), LOOK);
    };
  }

  /// {@return why a machine does not take an assigned function's file, or does not let it go}
  static Because file(Errno e, String name) {
    return switch (e.name()) {
      case "EEXIST" ->
          new Because("the machine has %s already".formatted(name), "add each file once");
      case "ENOENT" ->
          new Because("the machine has not %s".formatted(name), "take out what was added, once");
      case "EINVAL" ->
          new Because(
              "%s is no file of VFIO that this kernel's KVM knows".formatted(name),
              "hand over LinuxDevice.kvmFile; files of functions (iommufd) need a kernel of 6.6 or later, else use containers");
      case "EBADF" ->
          new Because("%s is closed".formatted(name), "keep it open until it is taken out");
      default -> Because.general(e);
    };
  }

  /// {@return why a processor's state is not set or told}
  static Because state(Errno e) {
    return switch (e.name()) {
      case "ENOTTY", "ENODEV" -> otherArchitecture("processors of this kind");
      case "ENOEXEC" ->
          new Because("the processor was not initialised", "set its kind first (ArmCpu.init)");
      case "ENOENT" ->
          new Because(
              "the processor has no such register or feature here",
              "use what this host's processors have");
      case "EINVAL" ->
          new Because(
              "the processor does not take this state: its local APIC is not in the kernel, or the values do not fit one another",
              "make the machine's controllers before its processors, and see what was set");
      case "EPERM", "EBUSY" ->
          new Because(
              "the processor's state cannot change any more: it has run",
              "set the state before it runs first");
      default -> Because.general(e);
    };
  }

  /// {@return why a processor does not run}
  static Because run(Errno e) {
    return switch (e.name()) {
      case "ENOEXEC" ->
          new Because("the processor was not initialised", "set its kind first (ArmCpu.init)");
      case "EFAULT" ->
          new Because(
              "the guest touched memory that its user does not have",
              "see that the memory of its slots is mapped, and that a device's BAR is enabled");
      case "EHWPOISON" ->
          new Because(
              "the guest touched memory of the host that is broken (a machine check)",
              "look at `dmesg` for the page, and start the guest anew");
      case "ENXIO", "ENODEV" ->
          new Because(
              "the machine's interrupt controller is not complete",
              "place its Distributor and Redistributors (or CPU interface), clear of one another, before a processor runs");
      case "EINVAL" ->
          new Because(
              "the processor's state does not fit together, or its controller is not set up",
              "see what was set before it ran first, and the end of `dmesg`");
      case "ENOSYS" ->
          new Because(
              "the guest touched a device by an instruction that the processor does not take apart for KVM",
              "use plain loads and stores for devices in the guest");
      case "EIO" ->
          new Because(
              "the machine belongs to another process, or KVM found a fault of its own in it",
              "run it in the process that made it; else look at the end of `dmesg`");
      case "ENOMEM" -> new Because("memory is short for the guest's tables", "free memory");
      default -> Because.general(e);
    };
  }
}
