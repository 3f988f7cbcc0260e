package dev.doorbell.linux;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;

/// The system calls of another, of which one is made to fail. Calls that give things back never fail.
public final class FailingCalls {
  private static final List<String> GIVES_BACK = List.of("close", "munmap");

  private final SystemCalls to;
  private final List<String> made = new ArrayList<>();
  private int failing = -1;
  private int failingRequest;
  private String failingPath = "";
  private Errno errno = Errno.EIO;

  public FailingCalls(SystemCalls to) {
    this.to = to;
  }

  /// Lets a call fail, counted from now.
  ///
  /// @param index 0 for the next one; -1 for none
  public void fail(int index, Errno with) {
    made.clear();
    failing = index;
    failingRequest = 0;
    failingPath = "";
    errno = with;
  }

  /// Lets every request of one kind fail, until {@link #fail}.
  public void failIoctl(Ioctl request, Errno with) {
    fail(-1, with);
    failingRequest = request.number();
  }

  /// Lets every opening of a file fail, until {@link #fail}.
  public void failOpen(String path, Errno with) {
    fail(-1, with);
    failingPath = path;
  }

  /// {@return names of the calls since {@link #fail}}
  public List<String> made() {
    return made;
  }

  public SystemCalls calls() {
    return (SystemCalls)
        Proxy.newProxyInstance(
            SystemCalls.class.getClassLoader(),
            new Class<?>[] {SystemCalls.class},
            (proxy, method, arguments) -> {
              if (method.getDeclaringClass() == Object.class) {
                return method.getName().equals("hashCode") ? (Object) 1 : "failing calls";
              }
              if (!GIVES_BACK.contains(method.getName())) {
                made.add(method.getName());
                boolean asked =
                    failingRequest != 0
                            && method.getName().equals("ioctl")
                            && arguments[1].equals(failingRequest)
                        || method.getName().equals("open") && arguments[0].equals(failingPath);
                if (asked || made.size() - 1 == failing) {
                  return method.getReturnType() == int.class
                      ? (Object) (-errno.number())
                      : (Object) (long) -errno.number();
                }
              }
              try {
                return method.invoke(to, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }
}
