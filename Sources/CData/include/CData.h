#ifndef CDATA_H
#define CDATA_H

#include "CDataProfiles.h"

#endif
