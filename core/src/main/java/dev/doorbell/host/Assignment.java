package dev.doorbell.host;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.IntervalSet;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.iommu.Domain;
import dev.doorbell.iommu.DomainPolicy;
import dev.doorbell.iommu.DoorbellFrame;
import dev.doorbell.iommu.Iommu;
import dev.doorbell.iommu.IommuGroup;
import dev.doorbell.iommu.Protection;
import dev.doorbell.irq.InterruptDispatch;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.irq.MsiFunction;
import dev.doorbell.pci.Firing;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Functions of a host, given to one domain with their vectors programmed. Closing undoes everything. Not safe for use from many threads.
public final class Assignment implements AutoCloseable {
  private final Host host;
  private final Domain domain;
  private final List<HostFunction> functions;
  private final Deque<Runnable> undo = new ArrayDeque<>();

  /// What is wanted.
  ///
  /// @param window the MSI window
  /// @param min fewest vectors of each function that will do
  /// @param max most vectors of each function
  public record Request(
      Granule granule, Optional<AddressRange> window, int min, int max, boolean unsafeInterrupts) {}

  /// One vector, fired.
  ///
  /// @param firing what the device knows of it
  /// @param arrivals interrupts that reached a CPU because of it: one when all is well
  public record Fired(Sbdf function, LiveVector vector, Firing firing, List<Arrival> arrivals) {
    public Fired {
      arrivals = List.copyOf(arrivals);
    }

    /// {@return whether it arrived, once, as the interrupt that the vector stands for, where it was routed to}
    public boolean delivered() {
      return arrivals.equals(List.of(new Arrival(vector.intid(), vector.cpu())));
    }
  }

  /// An interrupt at a CPU.
  public record Arrival(int intid, int cpu) {}

  private Assignment(Host host, Domain domain, List<HostFunction> functions) {
    this.host = host;
    this.domain = domain;
    this.functions = functions;
  }

  /// Assigns functions: a domain with the window, their groups in it, their vectors programmed. When it throws, the machine is as before.
  ///
  /// @param sbdfs functions behind IOMMUs of one kind, at least one
  /// @throws dev.doorbell.iommu.MsiWindowExhausted when the window has no room for every doorbell; found before the first write
  /// @throws dev.doorbell.irq.TooFewVectors when a function advertises fewer vectors than the minimum
  /// @throws NotAssignable when a function is not there, is a bridge, has no IOMMU that is driven, or no MSI capability
  public static Assignment of(Host host, List<Sbdf> sbdfs, Request request) {
    List<HostFunction> functions = new ArrayList<>();
    for (Sbdf sbdf : sbdfs) {
      functions.add(checked(host.function(sbdf)));
    }
    Iommu first = iommu(host, functions.getFirst());
    DomainPolicy policy =
        request.unsafeInterrupts() ? DomainPolicy.TRUSTED_USER : DomainPolicy.USER;
    Assignment a =
        new Assignment(host, Domain.create("guest", policy, first, request.granule()), functions);
    boolean done = false;
    try {
      a.undo.push(a.domain::close);
      request.window().ifPresent(a.domain::reserveMsiWindow);
      a.checkRoom();
      a.attach();
      a.enable(request);
      done = true;
      return a;
    } finally {
      if (!done) {
        a.close();
      }
    }
  }

  public Domain domain() {
    return domain;
  }

  public List<HostFunction> functions() {
    return functions;
  }

  /// {@return every vector in use}
  public List<LiveVector> vectors(HostFunction f) {
    return f.vectors().map(MsiFunction::vectors).orElse(List.of());
  }

  /// Makes the device raise one of its vectors, and takes what arrives.
  public Fired fire(HostFunction f, LiveVector vector) {
    return fire(host, f, vector);
  }

  static Fired fire(Host host, HostFunction f, LiveVector vector) {
    List<Arrival> arrivals = new ArrayList<>();
    InterruptDispatch dispatch =
        host.interrupts().at(host.msiController(vector.controller()).orElseThrow());
    dispatch.add(vector.number(), (_, cpu) -> arrivals.add(new Arrival(vector.intid(), cpu)));
    try {
      host.poll();
      arrivals.clear();
      Firing firing = host.machine().fire(f.sbdf(), vector.index());
      host.poll();
      return new Fired(f.sbdf(), vector, firing, arrivals);
    } finally {
      dispatch.remove(vector.number());
    }
  }

  @Override
  public void close() {
    while (!undo.isEmpty()) {
      undo.pop().run();
    }
  }

  static HostFunction checked(HostFunction f) {
    if (f.vectors().isEmpty() && !f.answers()) {
      throw new NotAssignable(
          f.sbdf().toString(),
          "the machine's buses",
          "no function answers there: no host bridge or port leads to its bus, or the port above it leads to device 0 alone",
          f.surveyed().description().source(),
          "see doorbell inspect for bridges and ports, and choose a place behind one");
    }
    if (f.vectors().isEmpty()) {
      throw new NotAssignable(
          f.sbdf().toString(),
          "MSI and MSI-X capability",
          "it has neither MSI nor MSI-X",
          f.surveyed().description().source(),
          "choose a function that has one");
    }
    return f;
  }

  private static Iommu iommu(Host host, HostFunction f) {
    return host.group(f.sbdf())
        .map(g -> g.members().getFirst().streams().getFirst().iommu())
        .orElseThrow();
  }

  /// All doorbells of all functions at once, so that a refusal comes before the first write.
  private void checkRoom() {
    List<DoorbellFrame> frames =
        functions.stream()
            .flatMap(f ->
                f.domain().route().doorbells().stream()
                    .filter(d ->
                        !host.group(f.sbdf()).map(g -> g.bypassesTranslation(d)).orElse(false)))
            .toList();
    domain.requireRoom(frames);
  }

  private void attach() {
    Set<IommuGroup> groups = new LinkedHashSet<>();
    functions.forEach(f -> host.group(f.sbdf()).ifPresent(groups::add));
    for (IommuGroup g : groups) {
      domain.attach(g);
      undo.push(() -> domain.detach(g));
    }
  }

  private void enable(Request request) {
    for (HostFunction f : functions) {
      int command = f.turnOn();
      undo.push(() -> f.turnBack(command));
      MsiFunction vectors = f.vectors().orElseThrow();
      vectors.enable(request.min(), Math.max(request.min(), request.max()));
      undo.push(vectors::release);
      giveWork(f, vectors.vectors().size());
    }
  }

  /// Functions that interrupt only as an effect of DMA get memory for it, where the domain has room.
  private void giveWork(HostFunction f, int vectors) {
    long wanted = host.machine().workBytes(f.sbdf(), vectors);
    if (wanted == 0) {
      return;
    }
    long bytes = alignUp(wanted);
    Pa pa = host.machine().frames().allocate(bytes, domain.granule().bytes());
    undo.push(() -> host.machine().frames().free(pa, bytes));
    AddressRange iova = place(f, bytes);
    domain.map(new Iova(iova.start()), pa, bytes, Protection.READ_WRITE);
    undo.push(() -> domain.unmap(iova));
    host.machine().giveWork(f.sbdf(), new Iova(iova.start()), pa, vectors);
  }

  private AddressRange place(HostFunction f, long bytes) {
    for (AddressRange range : domain.iovaRanges()) {
      IntervalSet free = IntervalSet.of(range);
      domain.mappings().forEach(m -> free.remove(m.iovas()));
      for (AddressRange run : free.ranges()) {
        long start = alignUp(run.start());
        if (start >= run.start() && start <= run.last() && run.last() - start >= bytes - 1) {
          return AddressRange.ofSize(start, bytes);
        }
      }
    }
    throw new NotAssignable(
        f.sbdf().toString(),
        domain.name(),
        "it needs 0x%x bytes of memory to be made to interrupt, and the domain has no room for them"
            .formatted(bytes),
        f.surveyed().description().source(),
        "take a smaller MSI window");
  }

  private long alignUp(long value) {
    return domain.granule().alignDown(value + domain.granule().bytes() - 1);
  }
}
