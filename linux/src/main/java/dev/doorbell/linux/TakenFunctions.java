package dev.doorbell.linux;

import dev.doorbell.bus.Rollback;
import dev.doorbell.explain.Source;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.Group;
import dev.doorbell.vfio.NoSuchFunction;
import dev.doorbell.vfio.NotViable;
import dev.doorbell.vfio.Viability;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Functions of the running host taken from their drivers, their groups in one container. What is done is remembered by a {@link Rollback} of
/// whoever takes them.
///
/// @param bound the functions with the drivers that they had
/// @param access which of the kernel's interfaces is used
public record TakenFunctions(
    List<DriverBinding> bound, Access access, LinuxVfio vfio, Container container) {

  /// How they may be taken.
  ///
  /// @param unsafeInterrupts whether groups are taken whose functions could forge others' vectors
  /// @param takeFromDriver whether functions are taken that work for the host
  /// @param access which of the kernel's interfaces is used; empty for iommufd where the kernel has it with a file for each device
  public record Terms(boolean unsafeInterrupts, boolean takeFromDriver, Optional<Access> access) {}

  public TakenFunctions {
    bound = List.copyOf(bound);
  }

  /// {@return the functions, taken}
  ///
  /// @param undo takes back what was done; the caller closes it, also when this fails
  /// @throws dev.doorbell.vfio.NoSuchFunction when the host has one not
  /// @throws NoPassthrough when this kernel has no IOMMU or no vfio-pci
  /// @throws DriverInUse when a function works for the host and may not be taken
  /// @throws dev.doorbell.vfio.NotViable when a mate of a function works for the host
  /// @throws ErrnoException when the kernel refuses
  public static TakenFunctions of(
      LinuxOptions options, List<Sbdf> functions, Terms terms, Rollback undo) {
    HostFiles files = new HostFiles(options.root());
    requirePossible(files, functions, terms);
    List<DriverBinding> bound = new ArrayList<>();
    for (Sbdf f : functions) {
      DriverBinding b = DriverBinding.toVfio(options, f);
      undo.add(b::close);
      bound.add(b);
    }
    for (Sbdf f : functions) {
      int group = files.group(f).orElseThrow(() -> NoPassthrough.noIommu(f, files.allowsNoIommu()));
      requireViable(files, group, functions);
    }
    Access access = terms.access().orElseGet(() -> best(options, files, functions));
    LinuxVfio vfio = LinuxVfio.open(options.with(access).withoutThread());
    undo.add(vfio::close);
    Container container =
        vfio.open(
            terms.unsafeInterrupts()
                ? ContainerOptions.USUAL.withUnsafeInterrupts()
                : ContainerOptions.USUAL);
    undo.add(container::close);
    Set<Group> groups = new LinkedHashSet<>();
    functions.forEach(f -> groups.add(vfio.group(f)));
    groups.forEach(container::attach);
    return new TakenFunctions(bound, access, vfio, container);
  }

  /// Whether iommufd serves: its own file is there, and every function has one.
  private static Access best(LinuxOptions options, HostFiles files, List<Sbdf> functions) {
    if (!functions.stream().allMatch(files::hasVfioFile)) {
      return Access.CONTAINER;
    }
    Kernel kernel = new Kernel(options.calls());
    try (Descriptor d = kernel.open("/dev/iommu", KernelConstants.O_RDWR, Because::general)) {
      return d.isOpen() ? Access.IOMMUFD : Access.CONTAINER;
    } catch (ErrnoException notThere) {
      return Access.CONTAINER;
    }
  }

  /// What can be seen before anything is touched.
  private static void requirePossible(HostFiles files, List<Sbdf> functions, Terms terms) {
    for (Sbdf f : functions) {
      if (!files.exists(f)) {
        throw new NoSuchFunction(f, "this machine", Source.file("sys/bus/pci/devices"));
      }
    }
    if (!files.hasIommu()) {
      throw NoPassthrough.noIommu(functions.getFirst(), files.allowsNoIommu());
    }
    if (!files.hasVfioDriver()) {
      throw NoPassthrough.noDriver();
    }
    for (Sbdf f : functions) {
      files.group(f).ifPresent(g -> requireViable(files, g, functions));
    }
    for (Sbdf f : functions) {
      if (!terms.takeFromDriver()) {
        files.requireFree(f);
      }
    }
  }

  private static void requireViable(HostFiles files, int group, List<Sbdf> functions) {
    for (Viability.Blocker b : files.blockers(group)) {
      if (!functions.contains(Sbdf.parse(b.function()))) {
        throw new NotViable("group " + group, b);
      }
    }
  }
}
