#ifndef CDATA_H
#define CDATA_H

#include "CDataProfiles.h"
#include "CDataRuntime.h"

#endif
