/* pickle/ops.h - what each opcode does (_pickle.c:load_*). */
#ifndef PICKLE_OPS_H
#define PICKLE_OPS_H

#include "signatures/pickle/machine.h"

#define OP(name) bool op_##name(struct vm *vm, const struct arg *a)

OP(none);
OP(true);
OP(false);
OP(int);
OP(long);
OP(float);
OP(binfloat);
OP(binint);
OP(binint_unsigned);
OP(binlong);
OP(string);
OP(unicode);
OP(binunicode);
OP(binbytes);
OP(bytearray);
OP(binstring);
OP(mark);
OP(pop);
OP(pop_mark);
OP(dup);
OP(stop);
OP(proto);
OP(frame);
OP(empty_tuple);
OP(empty_list);
OP(empty_dict);
OP(empty_set);
OP(tuple);
OP(tuple1);
OP(tuple2);
OP(tuple3);
OP(list);
OP(dict);
OP(frozenset);
OP(append);
OP(appends);
OP(setitem);
OP(setitems);
OP(additems);
OP(put);
OP(binput);
OP(memoize);
OP(get);
OP(binget);
OP(global);
OP(stack_global);
OP(inst);
OP(obj);
OP(newobj);
OP(newobj_ex);
OP(reduce);
OP(build);
OP(ext);
OP(ext4);
OP(persid);
OP(binpersid);
OP(next_buffer);
OP(readonly_buffer);

#undef OP

#endif
