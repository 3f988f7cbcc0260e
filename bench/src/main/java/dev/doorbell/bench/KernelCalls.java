package dev.doorbell.bench;

import dev.doorbell.linux.ErrnoException;
import dev.doorbell.linux.LinuxOptions;
import dev.doorbell.linux.LinuxVfio;
import dev.doorbell.linux.SystemCalls;
import dev.doorbell.linux.kvm.KvmVm;
import dev.doorbell.vfio.Group;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/// Which calls of the kernel can be measured here, and the same loops in C. What is needed is looked for once, and only when asked.
final class KernelCalls implements AutoCloseable {
  private boolean askedKvm;
  private @Nullable String noKvm;
  private boolean compiled;
  private @Nullable KernelCallsInC inC;

  private KernelCalls() {}

  static KernelCalls find() {
    return new KernelCalls();
  }

  /// {@return why a work cannot be measured here; empty when it can}
  ///
  /// @param work a method of {@link KernelCallsBenchmark}
  Optional<String> refusal(String work) {
    if (work.equals("eventfd")) {
      return Optional.empty();
    }
    if (work.equals("dmaMap")) {
      return group() >= 0
          ? Optional.empty()
          : Optional.of(
              "no group of this host is all with VFIO drivers and has a file in /dev/vfio: bind a function to vfio-pci (driver_override) first");
    }
    if (!System.getProperty("os.arch").equals("amd64")) {
      return Optional.of("its machine is an x86 one");
    }
    if (!askedKvm) {
      askedKvm = true;
      noKvm = tryKvm();
    }
    return Optional.ofNullable(noKvm);
  }

  /// {@return the number of a group that a container can take; -1 where there is none}
  static int group() {
    try (LinuxVfio vfio = LinuxVfio.open(LinuxOptions.USUAL.withoutThread())) {
      return vfio.groups().stream()
          .filter(g -> Files.exists(Path.of("/dev/vfio/" + g.id())))
          .filter(g -> g.viability().blockers().isEmpty())
          .mapToInt(Group::id)
          .findFirst()
          .orElse(-1);
    }
  }

  private static @Nullable String tryKvm() {
    try (KvmVm _ = KvmVm.create(SystemCalls.ofProcess())) {
      return null;
    } catch (ErrnoException e) {
      return e.refusal().message();
    }
  }

  /// {@return nanoseconds of a work's loop in C; empty where there is no gcc}
  OptionalDouble inC(String work, int milliseconds) {
    if (!compiled) {
      compiled = true;
      inC = KernelCallsInC.compile().orElse(null);
    }
    KernelCallsInC c = inC;
    return c == null ? OptionalDouble.empty() : c.nanoseconds(work, milliseconds, group());
  }

  @Override
  public void close() {
    KernelCallsInC c = inC;
    if (c != null) {
      c.close();
    }
  }
}
