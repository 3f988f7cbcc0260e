package dev.doorbell.vfio;

import dev.doorbell.irq.InterruptDispatch;
import dev.doorbell.irq.Interrupts;
import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.MsiFunction;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/// A function's enabled vectors, each led to a trigger. Guarded by the device's lock.
final class OwnVectors implements EnabledVectors {
  /// A live vector: who is signalled, and where its interrupt is waited for.
  private record Live(VectorGate gate, InterruptDispatch dispatch, int number) {}

  private final IrqType type;
  private final MsiFunction function;
  private final Interrupts interrupts;
  private final TreeMap<Integer, Live> live = new TreeMap<>();

  private OwnVectors(IrqType type, MsiFunction function, Interrupts interrupts) {
    this.type = type;
    this.function = function;
    this.interrupts = interrupts;
  }

  /// Enables vectors, one for each trigger or as many as can be had; none fires before its trigger is in place.
  static OwnVectors enable(
      IrqType type,
      MsiFunction function,
      Interrupts interrupts,
      int min,
      List<? extends Trigger> triggers) {
    OwnVectors v = new OwnVectors(type, function, interrupts);
    try {
      function.enable(
          min,
          triggers.size(),
          false,
          (vector, controller, number) ->
              v.await(vector, triggers.get(vector), controller, number));
    } catch (RuntimeException | Error e) {
      v.close();
      throw e;
    }
    return v;
  }

  @Override
  public IrqType type() {
    return type;
  }

  @Override
  public int count() {
    return live.size();
  }

  @Override
  public void release() {
    function.release();
    close();
  }

  @Override
  public boolean has(int vector) {
    return live.containsKey(vector);
  }

  @Override
  public Optional<Trigger> trigger(int vector) {
    return Optional.ofNullable(live.get(vector)).map(l -> l.gate().trigger());
  }

  @Override
  public void lead(int vector, Trigger trigger) {
    at(vector).gate().lead(trigger);
  }

  @Override
  public void add(int vector, Trigger trigger) {
    try {
      function.addVector(
          vector,
          vector % function.domain().route().cpus(),
          false,
          (added, controller, number) -> await(added, trigger, controller, number));
    } catch (RuntimeException | Error e) {
      forget(vector);
      throw e;
    }
  }

  @Override
  public void remove(int vector) {
    at(vector);
    function.removeVector(vector);
    forget(vector);
  }

  @Override
  public void mask(int vector, boolean masked) {
    at(vector);
    function.mask(vector, masked);
  }

  @Override
  public void loopback(int vector) {
    at(vector).gate().signal();
  }

  void reapply() {
    function.reapply();
  }

  private void await(int vector, Trigger trigger, MsiController controller, int number) {
    VectorGate gate = new VectorGate(trigger);
    InterruptDispatch dispatch = interrupts.at(controller);
    dispatch.add(number, gate);
    live.put(vector, new Live(gate, dispatch, number));
  }

  private void forget(int vector) {
    Live l = live.remove(vector);
    if (l != null) {
      l.dispatch().remove(l.number());
    }
  }

  @Override
  public void close() {
    List.copyOf(live.keySet()).forEach(this::forget);
  }

  private Live at(int vector) {
    Live l = live.get(vector);
    if (l == null) {
      throw new IllegalArgumentException(
          "%s has no vector %d enabled".formatted(function.name(), vector));
    }
    return l;
  }
}
