package dev.doorbell.linux.kvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Ipa;
import dev.doorbell.linux.Descriptor;
import dev.doorbell.linux.Errno;
import dev.doorbell.linux.ErrnoException;
import dev.doorbell.linux.EventFd;
import dev.doorbell.linux.Ioctl;
import dev.doorbell.linux.Kernel;
import dev.doorbell.linux.OpenFiles;
import dev.doorbell.linux.SystemCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// No KVM is needed: `/dev/kvm` and what comes of it are eventfds here, and requests are answered by this class.
@DisplayName("KVM: what a user is told of each request that the kernel refuses, errno by errno")
class KvmRefusedTest {
  private static final AddressRange TASK = AddressRange.ofSize(0xfffb_d000L, 0x3000);
  private static final AddressRange REGISTER = AddressRange.ofSize(0x9000, 4);
  private static final GuestMsi MESSAGE = new GuestMsi(0x809_0040L, 1, OptionalInt.of(8));

  /// Members in which the kernel hands a new file over.
  private static final Set<String> NEW_FILES = Set.of("KVM_CREATE_VM", "KVM_CREATE_VCPU");

  private final SystemCalls real = SystemCalls.ofProcess();
  private int refusedRequest;
  private boolean refusedOpen;
  private Errno with = Errno.EIO;

  private SystemCalls calls() {
    return (SystemCalls)
        Proxy.newProxyInstance(
            SystemCalls.class.getClassLoader(),
            new Class<?>[] {SystemCalls.class},
            (proxy, method, a) -> {
              if (method.getName().equals("open")) {
                assertEquals("/dev/kvm", a[0]);
                return refusedOpen ? -with.number() : real.eventfd(0, 0);
              }
              if (method.getName().equals("ioctl")) {
                return answer((int) a[1], (MemorySegment) a[2]);
              }
              if (method.getName().equals("mmap")) {
                // The page that a processor shares: nobody looks at what is in it here.
                return real.mmap((long) a[0], 3, 0x22, -1, 0);
              }
              try {
                return method.invoke(real, a);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private int answer(int request, MemorySegment argument) {
    if (request == refusedRequest) {
      return -with.number();
    }
    if (request == KvmLayout.KVM_GET_API_VERSION.number()) {
      return KvmLayout.API_VERSION;
    }
    if (request == KvmLayout.KVM_GET_VCPU_MMAP_SIZE.number()) {
      return 0x1000;
    }
    if (request == KvmLayout.KVM_CREATE_DEVICE.number()) {
      KvmLayout.DEVICE_FD.set(argument, real.eventfd(0, 0));
      return 0;
    }
    boolean file = NEW_FILES.stream().anyMatch(n -> request(n).number() == request);
    return file ? real.eventfd(0, 0) : 0;
  }

  private static Ioctl request(String name) {
    for (Class<?> layout :
        new Class<?>[] {KvmLayout.class, KvmX86Layout.class, KvmArmLayout.class}) {
      try {
        return (Ioctl) layout.getDeclaredField(name).get(null);
      } catch (NoSuchFieldException e) {
        // Another one has it.
        continue;
      } catch (IllegalAccessException e) {
        throw new AssertionError(e);
      }
    }
    throw new AssertionError("no request " + name);
  }

  /// Makes every request once.
  private void all() {
    try (KvmVm vm = KvmVm.create(calls());
        EventFd event = EventFd.create(real, "event");
        EventFd handled = EventFd.create(real, "handled");
        Descriptor assigned = new Kernel(calls()).own(real.eventfd(0, 0), "open", "/dev/vfio/3");
        Arena arena = Arena.ofConfined()) {
      vm.createPcInterrupts(TASK);
      vm.createLocalApics(TASK, 24);
      vm.addMemory(7, AddressRange.ofSize(0x10_0000, 0x1000), arena.allocate(0x1000, 0x1000));
      vm.removeMemory(7);
      KvmVcpu cpu = vm.createVcpu(3);
      ArmGic.createV3(
          vm,
          new ArmGic.V3Places(new Ipa(0x800_0000L), new Ipa(0x80a_0000L), new Ipa(0x808_0000L)),
          128);
      try (KvmVfio vfio = KvmVfio.of(vm)) {
        vfio.add(assigned);
      }
      vm.setLine(0x100_0020, true);
      vm.route(Map.of(24, MESSAGE));
      vm.connect(event, 24).close();
      vm.connectLevel(event, 5, handled).close();
      vm.watchWrites(REGISTER, event);
      assertFalse(vm.signal(MESSAGE));
      X86Cpu x86 = new X86Cpu(cpu);
      x86.enableLocalApic();
      x86.startAt(0);
      new ArmCpu(vm, cpu).init(false);
      new ArmCpu(vm, cpu).startAt(0, new ArmCpu.Argument(0));
      cpu.run();
    }
  }

  // spotless:off
  @ParameterizedTest(name = "{0} with {1}: {2}")
  @CsvSource(delimiter = '|', textBlock = """
      open                       | ENOENT    | no KVM                                  | kvm_intel
      open                       | EACCES    | this user may not use KVM               | group
      open                       | EMFILE    | too many open files                     | ulimit -n
      KVM_CREATE_VM              | EBUSY     | another hypervisor has it               | vboxdrv
      KVM_CREATE_VM              | EIO       | firmware has locked it                  | firmware
      KVM_CREATE_VM              | ENOMEM    | memory is short                         | free memory
      KVM_SET_TSS_ADDR           | ENOTTY    | has not a PC's interrupt controllers    | architecture
      KVM_SET_TSS_ADDR           | EINVAL    | beyond 4 GiB                            | below 4 GiB
      KVM_CREATE_IRQCHIP         | EEXIST    | has its controllers already             | once
      KVM_CREATE_IRQCHIP         | EINVAL    | there are processors already            | before the first processor
      KVM_ENABLE_CAP             | EEXIST    | has its controllers already             | once
      KVM_SET_USER_MEMORY_REGION | EEXIST    | slot 7 at [0x100000, 0x100fff] meets    | elsewhere
      KVM_SET_USER_MEMORY_REGION | EINVAL    | slot 7 at [0x100000, 0x100fff] is not   | align
      KVM_SET_USER_MEMORY_REGION | EFAULT    | beyond what the guest can address       | lower
      KVM_CREATE_VCPU            | EEXIST    | has a processor 3                       | of its own
      KVM_CREATE_VCPU            | EINVAL    | no processor 3, or no more              | from 0 up
      KVM_CREATE_VCPU            | EBUSY     | controller is set up already            | before the controller
      """)
  // spotless:on
  @DisplayName("a machine: the reason, what to do, and nothing is left open")
  void machine(String call, String errno, String reason, String advice) {
    told(call, errno, reason, advice);
  }

  // spotless:off
  @ParameterizedTest(name = "{0} with {1}: {2}")
  @CsvSource(delimiter = '|', textBlock = """
      KVM_CREATE_DEVICE          | ENODEV    | cannot make a GICv3 here                | of this kind
      KVM_CREATE_DEVICE          | EEXIST    | the machine has one                     | one GICv3 a machine
      KVM_CREATE_DEVICE          | E2BIG     | more processors than a GICv3 can have   | fewer
      KVM_CREATE_DEVICE          | EBUSY     | has run already                         | before the first processor runs
      KVM_SET_DEVICE_ATTR        | EEXIST    | the Distributor at 0x8000000 is set     | once
      KVM_SET_DEVICE_ATTR        | E2BIG     | the Distributor at 0x8000000 lies       | lower
      KVM_SET_DEVICE_ATTR        | EINVAL    | the Distributor at 0x8000000 is not     | documentation
      KVM_SET_DEVICE_ATTR        | ENXIO     | does not know it, or what it needs      | newer kernel
      KVM_SET_DEVICE_ATTR        | EBUSY     | cannot change any more                  | before the first processor
      KVM_SET_DEVICE_ATTR        | ENODEV    | cannot stand in                         | of this kind
      KVM_IRQ_LINE               | ENXIO     | no interrupt controllers                | make them first
      KVM_IRQ_LINE               | EINVAL    | number 0x1000020                        | ArmGic.line
      KVM_SET_GSI_ROUTING        | EINVAL    | too many, or                            | 4096
      KVM_SET_GSI_ROUTING        | ENOMEM    | memory is short                         | free memory
      KVM_SET_GSI_ROUTING        | EFAULT    | bad address                             | dmesg
      KVM_IRQFD                  | EBUSY     | eventfd event is connected              | end the other one
      KVM_IRQFD                  | EAGAIN    | not set up yet                          | initialise
      KVM_IRQFD                  | EINVAL    | interrupt 24 takes no eventfd           | createPcInterrupts
      KVM_IOEVENTFD              | EEXIST    | signal an eventfd already               | once
      KVM_IOEVENTFD              | EINVAL    | is no register                          | sizes
      KVM_IOEVENTFD              | ENOSPC    | 1000                                    | fewer
      KVM_SIGNAL_MSI             | EBUSY     | has not turned its ITS on               | wait
      KVM_SIGNAL_MSI             | EINVAL    | wants a device id                       | device id
      KVM_SIGNAL_MSI             | ENODEV    | at 0x8090040                            | GITS_TRANSLATER
      KVM_GET_LAPIC              | EINVAL    | local APIC is not in the kernel         | before its processors
      KVM_SET_REGS               | ENOTTY    | has not processors of this kind         | architecture
      KVM_ARM_PREFERRED_TARGET   | ENOTTY    | has not processors of this kind         | architecture
      KVM_ARM_VCPU_INIT          | ENOENT    | no such register or feature             | this host's processors
      KVM_SET_ONE_REG            | ENOEXEC   | was not initialised                     | ArmCpu.init
      KVM_RUN                    | ENOEXEC   | was not initialised                     | ArmCpu.init
      KVM_RUN                    | EFAULT    | memory that its user does not have      | mapped
      KVM_RUN                    | EHWPOISON | is broken                               | anew
      KVM_RUN                    | ENXIO     | controller is not complete              | Distributor
      KVM_RUN                    | EINVAL    | does not fit together                   | set before
      KVM_RUN                    | ENOSYS    | does not take apart                     | plain loads
      KVM_RUN                    | EIO       | belongs to another process              | made it
      """)
  // spotless:on
  @DisplayName(
      "its devices, interrupts and processors: the reason, what to do, and nothing is left open")
  void parts(String call, String errno, String reason, String advice) {
    told(call, errno, reason, advice);
  }

  private void told(String call, String errno, String reason, String advice) {
    Map<String, Integer> before = OpenFiles.held();
    with = Errno.named(errno);
    refusedOpen = call.equals("open");
    refusedRequest = refusedOpen ? 0 : request(call).number();
    ErrnoException e = assertThrows(ErrnoException.class, this::all);
    assertEquals(with, e.errno());
    assertEquals(call, e.operation());
    assertTrue(e.getMessage().contains(reason), e::getMessage);
    assertTrue(e.refusal().advice().contains(advice), e.refusal()::advice);
    assertFalse(e.refusal().advice().contains("run as root"), e.refusal()::advice);
    assertEquals(before, OpenFiles.held());
  }

  @Test
  @DisplayName("a file that KVM does not take is named by its path")
  void assigned() {
    KvmVm vm = KvmVm.create(calls());
    try (vm;
        Descriptor file = new Kernel(calls()).own(real.eventfd(0, 0), "open", "/dev/vfio/3");
        KvmVfio vfio = KvmVfio.of(vm)) {
      refusedRequest = KvmLayout.KVM_SET_DEVICE_ATTR.number();
      Map.of("EEXIST", "has /dev/vfio/3 already", "EINVAL", "/dev/vfio/3 is no file of VFIO")
          .forEach((errno, words) -> {
            with = Errno.named(errno);
            ErrnoException e = assertThrows(ErrnoException.class, () -> vfio.add(file));
            assertTrue(e.getMessage().contains(words), e::getMessage);
          });
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  @DisplayName(
      "a message that nobody takes (x86: EPERM, KVM's own -1) is told by the answer, not as a missing right")
  void nobody(int answer) {
    try (KvmVm vm = KvmVm.create(calls())) {
      refusedRequest = answer == 0 ? 0 : KvmLayout.KVM_SIGNAL_MSI.number();
      with = Errno.EPERM;
      assertFalse(vm.signal(MESSAGE));
    }
  }
}
